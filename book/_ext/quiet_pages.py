"""Leave out the scripts of Thebe (live code), unused here: twice loaded, they fail."""


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove Thebe's scripts from a page's context."""

    def is_thebe(script) -> bool:
        body = getattr(script, "attributes", {}).get("body", "")
        return "thebe" in f"{getattr(script, 'filename', script)} {body}".lower()

    scripts = context.get("script_files", [])
    context["script_files"] = [script for script in scripts if not is_thebe(script)]


def setup(app):
    """Connect after all other extensions have added their scripts."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
