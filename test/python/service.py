# A service as Python teams write it: it reads the baggage with OpenTelemetry, calls the next service, and writes the
# baggage into that call with OpenTelemetry. Header lines are joined by commas, as WSGI servers do.
import http.client
import http.server
import sys
import threading

from opentelemetry import propagate

next_port = int(sys.argv[1])
local = threading.local()


def call_next(headers):
    connection = getattr(local, "connection", None)
    if connection is None:
        connection = local.connection = http.client.HTTPConnection("127.0.0.1", next_port)
    try:
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except Exception:
        local.connection = None
        raise


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        lines = self.headers.get_all("baggage")
        context = propagate.extract({} if lines is None else {"baggage": ",".join(lines)})
        headers = {}
        propagate.inject(headers, context=context)
        try:
            status, body = call_next(headers)
        except Exception as error:
            status, body = 502, repr(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Service)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
# Ends with the process that started it.
sys.stdin.read()
