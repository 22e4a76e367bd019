"""The jobs themselves: one file each, found by itself."""
