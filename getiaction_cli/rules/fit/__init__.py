"""GA3xx: recipe against dataset. Time steps, features, statistics, episodes, weights to start from."""
