"""What every room needs: errors with a cure, paths, whole files, downloads, blocks of a matrix."""
