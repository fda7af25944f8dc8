"""GA3xx: recipe against dataset. What one `Fit` shows: time steps, features, statistics, episodes, weights to go on from."""
