"""A bank in a dialect of livemarket's own: no public standard says how a bank's API looks. Its files are standard."""
