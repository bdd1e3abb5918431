"""Every address of the door, one by one: what allauth has beside them is not served.

The names are allauth's, which its flows ask for.
"""

from django.conf import settings
from django.urls import path

from . import views

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="account_login"),
    path("sign-in/passkey/", views.SignInByKey.as_view(), name="mfa_login_webauthn"),
    path("sign-in/second-step/", views.SecondStep.as_view(), name="mfa_authenticate"),
    path("confirm/", views.ConfirmByPassword.as_view(), name="account_reauthenticate"),
    path("confirm/code/", views.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("confirm/passkey/", views.ConfirmByKey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("welcome/<uidb64>/<token>/", views.Welcome.as_view(), name="staff_welcome"),
    path("security/", views.SecondFactors.as_view(), name="mfa_index"),
    path("security/sessions/end/", views.end_sessions, name="staff_sessions_end"),
    path("security/app/", views.AddApp.as_view(), name="mfa_activate_totp"),
    path("security/app/remove/", views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("security/passkey/", views.AddKey.as_view(), name="mfa_add_webauthn"),
    path(
        "security/passkey/<int:pk>/remove/",
        views.RemoveKey.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("security/codes/", views.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "security/codes/new/",
        views.NewRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
]
if settings.OIDC:
    from . import oidc

    urlpatterns += [
        path("sign-in/service/", oidc.sign_in, name="openid_connect_login"),
        path("sign-in/service/back/", oidc.come_back, name="openid_connect_callback"),
        path("security/service/", oidc.link, name="staff_oidc_link"),
        path("security/service/remove/", oidc.unlink, name="staff_oidc_unlink"),
    ]
