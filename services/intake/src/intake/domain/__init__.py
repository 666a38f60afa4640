"""What intake decides, pure: is this a new contact, a retry or a continuation?"""
