# SPDX-License-Identifier: ISC
"""What the system tests and the demo share."""
