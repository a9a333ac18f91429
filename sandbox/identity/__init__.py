"""The sign-in service: discovery, keys, tokens for apps and for people, and Microsoft's AADSTS refusals."""
