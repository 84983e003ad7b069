package laneway.test;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A grpc-java service in Nacos. A message {@code c/d} says who it is, calls service {@code c} with {@code d}, and puts the
 * answers in one line. Unary and bidirectional, the same text each way, so no protoc is needed.
 */
public final class GrpcService {
    private static final Metadata.Key<String> KEY = Metadata.Key.of("x-mse-tag", Metadata.ASCII_STRING_MARSHALLER);
    private static final Context.Key<String> LANE = Context.key("lane");
    private static final MethodDescriptor<String, String> GO = method("Go", MethodType.UNARY);
    private static final MethodDescriptor<String, String> CHAT = method("Chat", MethodType.BIDI_STREAMING);
    private static final Map<String, ManagedChannel> CHANNELS = new ConcurrentHashMap<>();
    private static NamingService naming;
    private static String self;

    /** What an agent does to a server: the key of the metadata is the lane of the call. */
    static final class ReadLane implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            return Contexts.interceptCall(Context.current().withValue(LANE, headers.get(KEY)), call, headers, next);
        }
    }

    /** What an agent does to a client: the lane of the call that is being served goes on. */
    static final class WriteLane implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                @Override
                public void start(Listener<A> listener, Metadata headers) {
                    if (LANE.get() != null) headers.put(KEY, LANE.get());
                    super.start(listener, headers);
                }
            };
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err); // the client of Nacos logs to it
        String service = args[1];
        String lane = args[2];
        self = args[3];
        Properties properties = new Properties();
        properties.setProperty("serverAddr", args[0]);
        naming = NacosFactory.createNamingService(properties);
        ServerServiceDefinition definition = ServerServiceDefinition.builder("laneway.test.Hop")
                .addMethod(GO, ServerCalls.asyncUnaryCall(GrpcService::go))
                .addMethod(CHAT, ServerCalls.asyncBidiStreamingCall(GrpcService::chat))
                .build();
        Server server = NettyServerBuilder.forAddress(
                        new InetSocketAddress("127.0.0.1", 0), InsecureServerCredentials.create())
                .addService(ServerInterceptors.intercept(definition, new ReadLane()))
                .build()
                .start();
        Instance instance = new Instance();
        instance.setIp("127.0.0.1");
        instance.setPort(server.getPort());
        if (!lane.isEmpty()) instance.addMetadata("alicloud.service.tag", lane);
        register(service, instance);
        out.println("port " + server.getPort());
        server.awaitTermination();
    }

    /** The client says that it is up before its connection is. */
    private static void register(String service, Instance instance) throws Exception {
        for (int attempt = 0; ; attempt++) {
            try {
                naming.registerInstance(service, instance);
                return;
            } catch (Exception error) {
                if (attempt > 200) throw error;
                Thread.sleep(50);
            }
        }
    }

    private static void go(String hops, StreamObserver<String> answer) {
        try {
            answer.onNext(hop(hops, GO));
            answer.onCompleted();
        } catch (Exception error) {
            answer.onError(Status.UNAVAILABLE.withDescription(self + ": " + error).asException());
        }
    }

    private static StreamObserver<String> chat(StreamObserver<String> answers) {
        return new StreamObserver<>() {
            @Override
            public void onNext(String hops) {
                try {
                    answers.onNext(hop(hops, CHAT));
                } catch (Exception error) {
                    answers.onError(Status.UNAVAILABLE.withDescription(self + ": " + error).asException());
                }
            }

            @Override
            public void onError(Throwable error) {}

            @Override
            public void onCompleted() {
                answers.onCompleted();
            }
        };
    }

    private static String hop(String hops, MethodDescriptor<String, String> method) throws Exception {
        String lane = LANE.get();
        String said = self + "[" + (lane == null ? "-" : lane) + "]";
        if (hops.isEmpty()) return said;
        int slash = (hops + "/").indexOf('/');
        String rest = hops.substring(Math.min(slash + 1, hops.length()));
        Channel channel = ClientInterceptors.intercept(choose(hops.substring(0, slash), lane), new WriteLane());
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS);
        if (method == GO) return said + " " + ClientCalls.blockingUnaryCall(channel, GO, options, rest);
        CompletableFuture<String> answer = new CompletableFuture<>();
        StreamObserver<String> messages =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, options), firstOf(answer));
        messages.onNext(rest);
        messages.onCompleted();
        return said + " " + answer.get();
    }

    private static StreamObserver<String> firstOf(CompletableFuture<String> answer) {
        return new StreamObserver<>() {
            @Override
            public void onNext(String said) {
                answer.complete(said);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }

            @Override
            public void onCompleted() {
                answer.completeExceptionally(new IOException("a stream without an answer"));
            }
        };
    }

    /** An instance of the lane, else of base, out of the list that the client of Nacos keeps. */
    private static ManagedChannel choose(String service, String lane) throws Exception {
        List<Instance> all = naming.selectInstances(service, true);
        List<Instance> found = lane == null ? List.of() : in(all, lane);
        if (found.isEmpty()) found = in(all, "");
        if (found.isEmpty()) throw new IOException("no instance of " + service);
        Instance one = found.get(ThreadLocalRandom.current().nextInt(found.size()));
        return CHANNELS.computeIfAbsent(
                one.toInetAddr(), address -> ManagedChannelBuilder.forTarget(address).usePlaintext().build());
    }

    private static List<Instance> in(List<Instance> all, String lane) {
        return all.stream()
                .filter(one -> one.getMetadata().getOrDefault("alicloud.service.tag", "").equals(lane))
                .toList();
    }

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        MethodDescriptor.Marshaller<String> text = new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(String value) {
                return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
            }

            @Override
            public String parse(InputStream bytes) {
                try {
                    return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
                } catch (IOException error) {
                    throw Status.INTERNAL.withCause(error).asRuntimeException();
                }
            }
        };
        return MethodDescriptor.<String, String>newBuilder()
                .setFullMethodName("laneway.test.Hop/" + name)
                .setType(type)
                .setRequestMarshaller(text)
                .setResponseMarshaller(text)
                .build();
    }

    private GrpcService() {}
}
