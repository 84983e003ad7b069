package laneway.test;

import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.DefaultResponse;
import org.springframework.cloud.client.loadbalancer.EmptyResponse;
import org.springframework.cloud.client.loadbalancer.Request;
import org.springframework.cloud.client.loadbalancer.RequestDataContext;
import org.springframework.cloud.client.loadbalancer.Response;
import org.springframework.cloud.loadbalancer.annotation.LoadBalancerClients;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.cloud.loadbalancer.core.ServiceInstanceListSupplier;
import org.springframework.cloud.loadbalancer.support.LoadBalancerClientFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.core.env.Environment;
import org.springframework.web.client.RestTemplate;

/** What the agents of MSE and Sermant do to a service: read the key, write the key, choose an instance of the lane, else of base. */
@Configuration
@Profile("lanes")
@LoadBalancerClients(defaultConfiguration = SpringLanes.Choice.class)
class SpringLanes {
    private static final String KEY = "x-mse-tag";
    private static final ThreadLocal<String> LANE = new ThreadLocal<>();

    @Bean
    Filter readLane() {
        return (request, response, chain) -> {
            LANE.set(((HttpServletRequest) request).getHeader(KEY));
            try {
                chain.doFilter(request, response);
            } finally {
                LANE.remove();
            }
        };
    }

    @Bean
    static BeanPostProcessor writeLane() {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (bean instanceof RestTemplate client) {
                    client.getInterceptors().add((request, body, execution) -> {
                        if (LANE.get() != null) request.getHeaders().set(KEY, LANE.get());
                        return execution.execute(request, body);
                    });
                }
                return bean;
            }
        };
    }

    /** Made for each service that is called, over Spring's own list of instances, which it keeps for 35 s. */
    static class Choice {
        @Bean
        ReactorServiceInstanceLoadBalancer laneBalancer(Environment environment, LoadBalancerClientFactory factory) {
            String service = LoadBalancerClientFactory.getName(environment);
            ObjectProvider<ServiceInstanceListSupplier> lists =
                    factory.getLazyProvider(service, ServiceInstanceListSupplier.class);
            return request -> lists.getObject().get(request).next().map(all -> choose(all, laneOf(request)));
        }

        private static String laneOf(Request<?> request) {
            return ((RequestDataContext) request.getContext()).getClientRequest().getHeaders().getFirst(KEY);
        }

        private static Response<ServiceInstance> choose(List<ServiceInstance> all, String lane) {
            List<ServiceInstance> found = lane == null ? List.of() : in(all, lane);
            if (found.isEmpty()) found = in(all, "");
            if (found.isEmpty()) return new EmptyResponse();
            return new DefaultResponse(found.get(ThreadLocalRandom.current().nextInt(found.size())));
        }

        private static List<ServiceInstance> in(List<ServiceInstance> all, String lane) {
            return all.stream()
                    .filter(one -> one.getMetadata().getOrDefault("alicloud.service.tag", "").equals(lane))
                    .toList();
        }
    }
}
