import com.sun.codemodel.JCodeModel;
import java.io.File;
import org.jsonschema2pojo.*;
import org.jsonschema2pojo.rules.RuleFactory;

/** Classes of a JSON Schema by jsonschema2pojo, with its own settings. */
public class Generate {
    public static void main(String[] arguments) throws Exception {
        JCodeModel model = new JCodeModel();
        GenerationConfig config = new DefaultGenerationConfig();
        new SchemaMapper(new RuleFactory(config, new Jackson2Annotator(config), new SchemaStore()), new SchemaGenerator())
            .generate(model, "Event", "org.wiredesk.pojo", new File(arguments[0]).toURI().toURL());
        model.build(new File(arguments[1]));
    }
}
