"""What brings Recognizer into an AWS account: ``python -m deploy STAGE``, and the templates beside template.yaml.

Never part of the image, nor of the service.
"""
