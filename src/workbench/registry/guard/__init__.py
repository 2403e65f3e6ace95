"""What runs in a tracking server (`mlflow server --app-name loan-workbench`): takes signed moves, refuses the rest."""
