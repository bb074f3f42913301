"""Leave out the scripts of Thebe (live code), which the book does not use and which raise an error when loaded twice."""


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove Thebe's scripts from a page's context."""
    def is_thebe(script) -> bool:
        attributes = getattr(script, "attributes", {})
        return "thebe" in f"{getattr(script, 'filename', script)} {attributes.get('body', '')}".lower()

    context["script_files"] = [script for script in context.get("script_files", []) if not is_thebe(script)]


def setup(app):
    """Connect after all other extensions have added their scripts."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
