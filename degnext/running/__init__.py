"""The run of a notebook: its parameters, the steps it takes up from earlier chapters, its record, its execution."""
