import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.stream.Stream;

/** Calls a URL as Java services do, with the client's own headers for an upgrade to HTTP/2. */
public class Client {
    public static void main(String[] args) throws Exception {
        URI uri = URI.create(args[0]);
        for (String method : new String[] {"GET", "POST", "GET"}) {
            // A client of its own each time: only the first request of a connection asks for the upgrade.
            HttpClient client = HttpClient.newHttpClient();
            HttpRequest.Builder request = HttpRequest.newBuilder(uri);
            if (method.equals("POST")) request.POST(HttpRequest.BodyPublishers.ofString("from java"));
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            System.out.println(method + " " + answer.version() + " " + answer.statusCode() + " " + answer.body());
        }
    }
}
