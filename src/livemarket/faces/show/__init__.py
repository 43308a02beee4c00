"""Live shows under the shop's control, in livemarket's own dialect: schedule, pin, price drop, end. `face.py` first."""
