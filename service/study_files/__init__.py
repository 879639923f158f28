"""Studies as files: everything of one study, for another installation or for keeping."""
