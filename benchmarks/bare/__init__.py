"""The two baselines: what Django and DRF cost by themselves, in a project as `django-admin startproject` makes it."""
