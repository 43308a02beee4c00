"""TikTok in two faces: the Shop's Open Platform (`shop.py`) and its advertising API (`ads.py`).

The advertising paths named Smart+, the report and the account follow TikTok's official description (MIT licence). Plain
campaign and ad group paths, and everything of the Shop, follow secondary sources: programs that call it and types made
from its partner documents. TikTok publishes no machine-readable description of those.
"""
