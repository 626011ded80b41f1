"""The server that an assistant works through: tools and resources of a project, by MCP.

    link      the way to the project's running server
    toolbox   what tools are made with; other packages join theirs
    tools_*   the tools, by what they are about
    insights  what the records of calls tell
    resources, updates, older   what is read by its address, and who is told that it changed
    prompts   what a human can pick in their client
    server    all of it together

Needs the extra `headwater[mcp]`; nothing but `headwater mcp` imports it.
"""
