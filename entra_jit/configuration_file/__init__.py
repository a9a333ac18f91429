"""What does the MSP's configuration file say? Read as it is written, or refused with a line for each mistake."""

from entra_jit.configuration_file.read import ConfigurationFile, ProofOf, read
from entra_jit.configuration_file.write import write

__all__ = ["ConfigurationFile", "ProofOf", "read", "write"]
