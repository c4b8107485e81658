"""djangorestframework-simplejwt in a project as startproject makes it, in the three ways in which it is used."""
