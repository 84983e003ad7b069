package laneway.test;

import com.alibaba.nacos.core.code.ControllerMethodsCache;
import com.alibaba.nacos.sys.filter.NacosTypeExcludeFilter;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.ServletComponentScan;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.FilterType;
import org.springframework.scheduling.annotation.EnableScheduling;

/** Starts Nacos 2.4 and 2.5 out of their modules; the module that usually does it, the console, is not published. */
@Configuration
@EnableAutoConfiguration
@EnableScheduling
@ServletComponentScan(basePackages = "com.alibaba.nacos")
@ComponentScan(basePackages = "com.alibaba.nacos",
        excludeFilters = @ComponentScan.Filter(type = FilterType.CUSTOM, classes = NacosTypeExcludeFilter.class))
public class Nacos2 {
    /** The HTTP filters know only controllers that are in this cache. */
    @Bean
    static BeanPostProcessor controllerCache() {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (bean instanceof ControllerMethodsCache) {
                    for (String module : new String[] {"core", "naming", "config.server"}) {
                        String suffix = module.equals("naming") ? ".controllers" : ".controller";
                        ((ControllerMethodsCache) bean).initClassMethod("com.alibaba.nacos." + module + suffix);
                    }
                }
                return bean;
            }
        };
    }

    public static void main(String[] args) {
        SpringApplication.run(Nacos2.class, args);
        System.out.println("laneway: started");
    }
}
