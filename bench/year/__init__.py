"""What `bench/simulated_year.py` is made of: shops, a scheduler in fast time, plain references, ears."""
