"""Pure parts of the world model: demand by price, and intervals from the past."""
