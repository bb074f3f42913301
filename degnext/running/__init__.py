"""The run of a notebook: parameters, steps taken up from earlier chapters, record, execution."""
