from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.bench.bare.models import Row


class RowSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=200)
    email = serializers.CharField(max_length=254)
    language = serializers.CharField(max_length=35)
    page_url = serializers.CharField(max_length=8_000)
    message = serializers.CharField(max_length=20_000)


class Insert(APIView):
    """One row in autocommit, and nothing else: nobody is asked who they are, nothing is counted, nothing decided."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)

    def post(self, request: Request) -> Response:
        serializer = RowSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = Row.objects.create(**serializer.validated_data)
        return Response({"id": row.pk}, status=201)
