"""What the page of a customer posts."""


def customer_form(**values: object) -> dict[str, object]:
    networks = values.pop("networks", [])
    form: dict[str, object] = {
        "algorithm": "HS256",
        "access_lifetime": 25_200,
        "refresh_lifetime": 604_800,
        "refresh_grace": 10,
        "reauthenticate_after": 600,
        "code_length": 6,
        "code_alphabet": "digits",
        "code_lifetime": 600,
        "code_resend_after": 30,
        "creates_users_on_sign_in": "on",
        "allows_registration": "on",
        "demands_verified_email": "on",
        "second_factor": "optional",
        "sessions_per_user": 20,
        "daily_sms_quota": 500,
        "monthly_sms_quota": 5_000,
        "sms_regions": "[]",
        "daily_code_quota": 10,
        "monthly_code_quota": 100,
        "allowed_origins": "[]",
        "default_locale": "en",
        "allowed_networks-TOTAL_FORMS": len(networks),  # type: ignore[arg-type]
        "allowed_networks-INITIAL_FORMS": 0,
        "limit_overrides-TOTAL_FORMS": 0,
        "limit_overrides-INITIAL_FORMS": 0,
        **values,
    }
    for number, network in enumerate(networks):  # type: ignore[arg-type, var-annotated]
        form[f"allowed_networks-{number}-network"] = network
    return form
