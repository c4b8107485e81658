"""Django's form for a row, typed by its model: `class UserForm(RowForm[User])`."""

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    RowForm = forms.ModelForm
else:

    class RowForm(forms.ModelForm):
        """`ModelForm` takes a type in its stubs alone."""

        def __class_getitem__(cls, _model: Any) -> Any:
            return cls
