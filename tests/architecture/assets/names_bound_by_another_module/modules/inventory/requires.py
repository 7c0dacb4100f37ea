pricing = object()
