"""Words of Django's own admin that its French says clumsily, for our catalogue to say better.

A catalogue of ours comes before Django's, but ``makemessages`` keeps in it only what our sources
say: this module says it. Nothing here is called. French has genders, which Django cannot know of a
model: what it says with "objet", we say without an article, and nobody is "un utilisateur".
"""

from django.utils.translation import gettext_noop as _

PAGES = (
    # The frame of every page.
    _("Breadcrumbs"),
    _("Toggle navigation"),
    _("Toggle theme (current theme: auto)"),
    _("Toggle theme (current theme: light)"),
    _("Toggle theme (current theme: dark)"),
    _("Authentication and Authorization"),
    _("Add link"),
    _("Change"),
    _("None available"),
    _("None"),
    _("You don’t have permission to view or edit anything."),
    # The password.
    _(
        "Please enter your old password, for security’s sake, and then enter your new password "
        "twice so we can verify you typed it in correctly."
    ),
    _("Your old password was entered incorrectly. Please enter it again."),
    _("Enter the same password as before, for verification."),
    # Lists.
    _("Add %(name)s"),
    _("Select this object for an action - {}"),
    _("Items must be selected in order to perform actions on them. No items have been changed."),
    # Forms.
    _("Add %s"),
    _("Change %s"),
    _("View %s"),
    _("Change history: %s"),
    _("Save and add another"),
    _("Save and continue editing"),
    _("Hold down “Control”, or “Command” on a Mac, to select more than one."),
    _("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    _("Changed {fields} for {name} “{object}”."),
    _(
        "ManagementForm data is missing or has been tampered with. Missing fields: "
        "%(field_names)s. You may need to file a bug report if the issue persists."
    ),
    # Deleting.
    _("Delete selected %(verbose_name_plural)s"),
    _(
        "Are you sure you want to delete the %(object_name)s “%(escaped_object)s”? "
        "All of the following related items will be deleted:"
    ),
    _(
        "Are you sure you want to delete the selected %(objects_name)s? "
        "All of the following objects and their related items will be deleted:"
    ),
    _(
        "Deleting the %(object_name)s “%(escaped_object)s” would require deleting "
        "the following protected related objects:"
    ),
    _(
        "Deleting the selected %(objects_name)s would require deleting "
        "the following protected related objects:"
    ),
    _("Yes, I’m sure"),
)

MESSAGES = (
    _("The {name} “{obj}” was added successfully."),
    _("The {name} “{obj}” was added successfully. You may add another {name} below."),
    _("You may edit it again below."),
    _("The {name} “{obj}” was changed successfully."),
    _("The {name} “{obj}” was changed successfully. You may edit it again below."),
    _("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    _("The %(name)s “%(obj)s” was deleted successfully."),
    _("Successfully deleted %(count)d %(items)s."),
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
)

ACCOUNTS = (
    _("user"),
    _("users"),
    _("A user with that username already exists."),
    _(
        "Designates whether this user should be treated as active. "
        "Unselect this instead of deleting accounts."
    ),
)
