"""The REST API. Folders mirror the URLs, and one file holds an endpoint's views and serializers. DRF is used nowhere else."""
