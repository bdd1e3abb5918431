"""The door by which staff come in: django-allauth's flows, under our addresses and in our words.

Passwords, passkeys, one-time codes and, as an extra, OpenID Connect. :mod:`.attempts` says how
often somebody may err, :mod:`.second_factor` who must prove more than a password,
:mod:`.sessions` how long one stays in, :mod:`.site` that nothing of the admin is served before.
"""
