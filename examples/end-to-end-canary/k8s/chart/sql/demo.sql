CREATE TABLE IF NOT EXISTS user (
  id INT PRIMARY KEY,
  name VARCHAR(64) NOT NULL,
  age INT NOT NULL,
  email VARCHAR(128) NOT NULL
);
INSERT IGNORE INTO user (id, name, age, email) VALUES
  (1, 'xiaoming', 18, 'xiaoming@example.com'),
  (2, 'xiaohong', 21, 'xiaohong@example.com'),
  (3, 'xiaogang', 24, 'xiaogang@example.com');
