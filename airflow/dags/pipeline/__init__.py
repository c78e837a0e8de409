"""What the DAG files use: settings, assets, and a module for each kind of task."""
