import apps.core.ids
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

BUILT_IN = ("admin", "company_user")


def list_what_users_hold(apps, _schema_editor):
    """Roles and permissions were free text before: what users bear and hold becomes known to their customers."""
    User, Role, Permission = (apps.get_model("users", name) for name in ("User", "Role", "Permission"))
    borne = User.objects.exclude(role__in=BUILT_IN).order_by().values_list("customer_id", "role").distinct()
    Role.objects.bulk_create(
        [Role(customer_id=customer_id, name=name) for customer_id, name in borne], ignore_conflicts=True
    )
    held = User.objects.exclude(permissions=[]).order_by().values_list("customer_id", "permissions").distinct()
    names = {(customer_id, str(name)) for customer_id, permissions in held for name in permissions}
    Permission.objects.bulk_create(
        [Permission(customer_id=customer_id, name=name) for customer_id, name in names if len(name) <= 64],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0004_accounts'),
        ('users', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='approved_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='is_owner',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('is_owner', True)), fields=['email_identity'], name='user_owner'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['customer', 'created_at'], name='user_waiting'),
        ),
        migrations.CreateModel(
            name='Role',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64, validators=[django.core.validators.RegexValidator('\\A[a-z][a-z0-9_]{0,63}\\Z')])),
                ('permissions', models.JSONField(blank=True, default=list)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='roles', to='customers.customer')),
            ],
            options={
                'ordering': ('name',),
                'constraints': [models.UniqueConstraint(fields=('customer', 'name'), name='role_once')],
            },
        ),
        migrations.CreateModel(
            name='Permission',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64, validators=[django.core.validators.RegexValidator('\\A[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*\\Z')])),
                ('description', models.CharField(blank=True, max_length=200)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='permissions', to='customers.customer')),
            ],
            options={
                'ordering': ('name',),
                'constraints': [models.UniqueConstraint(fields=('customer', 'name'), name='permission_once')],
            },
        ),
        migrations.RunPython(list_what_users_hold, migrations.RunPython.noop),
    ]
