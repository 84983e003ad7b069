package laneway.test;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.AbstractListener;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/** The official client on a pipe: one JSON command a line in, answers and events out. The other side of interop tests. */
public final class JavaClient {
    private static final String GROUP = "DEFAULT_GROUP";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static PrintStream out;

    public static void main(String[] args) throws Exception {
        out = new PrintStream(System.out, true, "UTF-8");
        System.setOut(System.err); // the client logs to it
        Properties properties = new Properties();
        properties.setProperty("serverAddr", args[0]);
        if (args.length > 1) {
            properties.setProperty("username", args[1]);
            properties.setProperty("password", args[2]);
        }
        NamingService naming = NacosFactory.createNamingService(properties);
        ConfigService config = NacosFactory.createConfigService(properties);
        // The status of the client is UP before its connection is; an answered question is proof.
        for (int attempt = 0; ; attempt++) {
            try {
                naming.getServicesOfServer(1, 1);
                break;
            } catch (Exception error) {
                if (attempt > 200) throw error;
                Thread.sleep(50);
            }
        }
        print(JSON.createObjectNode().put("event", "ready"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode command = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode().put("id", command.get("id").asInt());
            try {
                answer.set("result", JSON.valueToTree(execute(naming, config, command)));
            } catch (Exception error) {
                answer.put("error", error.toString());
            }
            print(answer);
        }
        naming.shutDown();
        config.shutDown();
        System.exit(0);
    }

    private static Object execute(NamingService naming, ConfigService config, JsonNode command) throws Exception {
        String name = command.path("name").asText();
        switch (command.path("op").asText()) {
            case "register":
                naming.registerInstance(name, GROUP, instance(command));
                return true;
            case "deregister":
                naming.deregisterInstance(name, GROUP, instance(command));
                return true;
            case "subscribe":
                naming.subscribe(name, GROUP, event -> {
                    ObjectNode line = JSON.createObjectNode().put("event", "instances").put("name", name);
                    line.set("instances", JSON.valueToTree(((NamingEvent) event).getInstances()));
                    print(line);
                });
                return true;
            case "list":
                return naming.getAllInstances(name, GROUP, false);
            case "publish":
                return config.publishConfig(name, GROUP, command.get("content").asText());
            case "listen":
                config.addListener(name, GROUP, new AbstractListener() {
                    @Override
                    public void receiveConfigInfo(String content) {
                        print(JSON.createObjectNode().put("event", "config").put("name", name).put("content", content));
                    }
                });
                return true;
            default:
                throw new IllegalArgumentException("unknown command: " + command);
        }
    }

    private static Instance instance(JsonNode command) {
        Instance instance = new Instance();
        instance.setIp(command.get("ip").asText());
        instance.setPort(command.get("port").asInt());
        Map<String, String> metadata = new HashMap<>();
        command.path("metadata").fields().forEachRemaining(entry -> metadata.put(entry.getKey(), entry.getValue().asText()));
        instance.setMetadata(metadata);
        return instance;
    }

    private static synchronized void print(ObjectNode line) {
        out.println(line.put("at", System.currentTimeMillis()));
    }
}
