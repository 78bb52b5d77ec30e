import java.io.PrintStream;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * DynamoDB Local in memory, on a free port of 127.0.0.1, for as long as standard input stays open.
 *
 * Its own main class listens on every interface, and knows no option against that.
 * The port is the one line on standard output; everything else that it says goes to standard error.
 * Standard input is a pipe whose other end ends with the process that started this one, however that dies.
 */
final class Loopback {
    public static void main(String[] arguments) throws Exception {
        PrintStream answer = System.out;
        System.setOut(System.err);
        DynamoDBProxyServer proxy =
            ServerRunner.createServerFromCommandLineArgs(new String[] {"-inMemory", "-disableTelemetry"});
        ServerConnector connector = connectorOf(proxy);
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        proxy.safeStart();
        answer.println(connector.getLocalPort());
        while (System.in.read() >= 0) {
            // Whoever started this says nothing; what counts is the end.
        }
        Runtime.getRuntime().halt(0); // everything is in memory: there is nothing to close
    }

    private static ServerConnector connectorOf(DynamoDBProxyServer proxy) throws ReflectiveOperationException {
        Field field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        return (ServerConnector) ((Server) field.get(proxy)).getConnectors()[0];
    }
}
