"""The command line. Each command's module is loaded when it runs, so that `greenchannel analyze` starts fast."""
