"""What runs inside a tracking server (`mlflow server --app-name loan-workbench`): it takes signed moves, refuses the rest."""
