"""Pictures of sweeps: fronts, parallel coordinates, effects, heat maps, and a page to choose designs on."""
