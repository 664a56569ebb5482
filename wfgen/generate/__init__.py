"""From valid specs to the text of every generated file: the plan, the templates, patches.

Nothing is written here.
"""
