from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiDocs(SpectacularSwaggerSplitView):
    """The API to read and to try. Its start-up script has an address of its own: inline ones are refused."""

    url_name = "api-schema"
