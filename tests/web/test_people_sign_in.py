"""Only people of the MSP's own tenant sign in, in the browser that began; what they are decides what they see."""

from __future__ import annotations

from tests.web.visits import Portal


async def test_a_technician_signs_in_and_sees_the_first_page(portal: Portal) -> None:
    visit = await portal.sign_in("alex")
    first = await visit.get("/")
    assert first.status_code == 200, first.text
    assert ">alex<" in first.text
    assert "Nothing is open for you" in first.text
