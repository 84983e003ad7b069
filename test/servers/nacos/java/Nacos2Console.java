package laneway.test;

/** Starts Nacos 2.0 to 2.3, whose rebuild has the console and with it the usual starter. */
public final class Nacos2Console {
    public static void main(String[] args) {
        com.alibaba.nacos.Nacos.main(args);
        System.out.println("laneway: started");
    }
}
