package laneway.test;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Scanner;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A Java service as the agent of MSE makes it: a push consumer of the remoting protocol in group and filter as given, and a
 * producer that writes the agent's property.
 *
 * <p>Arguments: name server, topic, consumer group, SQL92 filter or *. Prints "ready", then "got BODY" for each message. A
 * line "LANE BODY" on standard input sends one; the lane - is none.
 */
public final class JavaService {
  private static final String PROPERTY = "__microservice_tag__";

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
    consumer.setNamesrvAddr(args[0]);
    if (args[3].equals("*")) consumer.subscribe(topic, "*");
    else consumer.subscribe(topic, MessageSelector.bySql(args[3]));
    consumer.registerMessageListener(
        new MessageListenerConcurrently() {
          @Override
          public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
            for (MessageExt message : messages) say("got " + new String(message.getBody(), StandardCharsets.UTF_8));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
          }
        });
    consumer.start();
    DefaultMQProducer producer = new DefaultMQProducer(args[2] + "_producer");
    producer.setNamesrvAddr(args[0]);
    producer.start();
    say("ready");
    Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
    while (lines.hasNextLine()) {
      String[] words = lines.nextLine().split(" ", 2);
      Message message = new Message(topic, words[1].getBytes(StandardCharsets.UTF_8));
      if (!words[0].equals("-")) {
        String list = "[{\"name\":\"%1$s\",\"tag\":\"%1$s\",\"priority\":-1}]";
        message.putUserProperty(PROPERTY, String.format(list, words[0]));
      }
      producer.send(message);
    }
    System.exit(0);
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
