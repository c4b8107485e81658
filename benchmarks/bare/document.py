"""What `GET /api/auth/me` answers, before it is sealed."""

WHO_AM_I = {
    "id": "01900000-0000-7000-8000-000000000002",
    "email": "user-1@example.com",
    "name": "Ada Lovelace",
    "role": "company_user",
    "permissions": ["invoices.read", "invoices.write", "reports.read"],
    "status": "active",
    "customer_id": "01900000-0000-7000-8000-000000000003",
    "locale": "en",
    "phone": "",
    "email_verified": True,
    "created_at": "2026-01-02T03:04:05Z",
}
