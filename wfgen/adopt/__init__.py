"""Starting points: the first files of a service, from its name and kind."""
