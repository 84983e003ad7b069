package laneway.test;

import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClientException;
import org.springframework.web.client.RestTemplate;

/**
 * A service of Spring Cloud Alibaba, written by somebody who knows nothing of lanes. {@code GET /c/d} says who it is, calls
 * service {@code c} with {@code /d}, and puts the answers in one line. SpringLanes.java has what an agent adds.
 */
@SpringBootApplication
public class SpringService {
    public static void main(String[] args) {
        SpringApplication.run(SpringService.class, args);
    }

    @Bean
    @LoadBalanced
    RestTemplate urlConnection() {
        return new RestTemplate(new SimpleClientHttpRequestFactory());
    }

    /** java.net.http asks each server for an upgrade to HTTP/2. */
    @Bean
    @LoadBalanced
    RestTemplate javaNetHttp() {
        return new RestTemplate(new JdkClientHttpRequestFactory());
    }

    @Bean
    @LoadBalanced
    RestTemplate apache() {
        return new RestTemplate(new HttpComponentsClientHttpRequestFactory());
    }

    @EventListener
    void ready(ApplicationReadyEvent event) {
        System.out.println("port " + event.getApplicationContext().getEnvironment().getProperty("local.server.port"));
    }

    /** Its calls take turns between the three clients. */
    @RestController
    static class Hop {
        private final AtomicInteger turn = new AtomicInteger();
        private final List<RestTemplate> clients;
        private final String self;

        Hop(List<RestTemplate> clients, @Value("${self}") String self) {
            this.clients = clients;
            this.self = self;
        }

        @GetMapping("/**")
        ResponseEntity<String> hop(HttpServletRequest request) {
            String tag = request.getHeader("x-mse-tag");
            String said = self + "[" + (tag == null ? "-" : tag) + "]";
            String hops = request.getRequestURI().substring(1);
            if (hops.isEmpty()) return ResponseEntity.ok(said);
            int slash = (hops + "/").indexOf('/');
            String rest = hops.substring(Math.min(slash + 1, hops.length()));
            RestTemplate client = clients.get(Math.floorMod(turn.getAndIncrement(), clients.size()));
            try {
                String url = "http://" + hops.substring(0, slash) + "/" + rest;
                return ResponseEntity.ok(said + " " + client.getForObject(url, String.class));
            } catch (RestClientException | IllegalStateException error) {
                return ResponseEntity.status(502).body(said + " " + error.getMessage());
            }
        }
    }
}
