import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.*;
import java.nio.charset.StandardCharsets;

/** Reads events into a generated class and writes them back, a line each. */
public class Read {
    public static void main(String[] arguments) throws Exception {
        Class<?> kind = Class.forName(arguments[0]);
        ObjectMapper mapper = new ObjectMapper().findAndRegisterModules().disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        for (String line; (line = lines.readLine()) != null; )
            out.println(mapper.writeValueAsString(mapper.readValue(line, kind)));
        out.flush();
    }
}
